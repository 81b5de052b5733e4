class Job(
