"""Real pages, real Chromium, real ffmpeg; what comes out is decoded and looked at."""
