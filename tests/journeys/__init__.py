"""The main job, step by step, as people do it: real processes, real mail, a real browser."""
