"""Files of strangers, read without trust: pickles, torch files, tables, run folders from elsewhere."""
