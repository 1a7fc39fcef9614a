"""What is kept of files and lists on disk, and in force until something better was read. Each module by itself."""
