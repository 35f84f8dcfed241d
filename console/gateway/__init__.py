"""The console's side of the nginx path: what nginx asks before it makes calls itself."""
