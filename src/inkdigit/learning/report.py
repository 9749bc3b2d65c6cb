"""stub"""
def write_run_report(*a): pass
