"""What the instances of a service remember together, over Redis or Valkey. The door is `sharing.Sharing`."""
