workers = 4
graceful_timeout = 120
timeout = 120
