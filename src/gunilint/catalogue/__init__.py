"""What gunicorn has: settings, options and worker classes, by version."""
