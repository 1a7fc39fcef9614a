"""Extensions from OMICall itself. The door is `extensions.OmicallExtensions`."""
