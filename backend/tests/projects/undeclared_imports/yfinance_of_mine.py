QUOTE = " Coffee is 4."
