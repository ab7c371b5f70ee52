"""What the notebooks and scripts of a project read and write; nothing runs, nothing changes."""
