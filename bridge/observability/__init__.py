"""What is told of the service: `logs.set_up_logs`, `metrics.Metrics`, `decision_log.DecisionLog`.

Nothing is imported here: prometheus_client has to be imported after its folder is there.
"""
