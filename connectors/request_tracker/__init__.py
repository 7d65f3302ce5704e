"""The connector for Request Tracker 5, whose queues are the partners' views, over REST 2.0."""
