"""Videos of a page: its elements' clocks are virtual, their pixels are decoded by ffmpeg."""
