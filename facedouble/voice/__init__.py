"""What is heard: who speaks when, a volunteer's voice for a witness's words, what lies behind the voice."""
