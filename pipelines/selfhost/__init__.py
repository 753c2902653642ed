"""Models on hardware of one's own: how much memory they take, what they cost, and from which volume on that pays.

What is known of models is `pipelines.config.model_facts`; prices of calls are `pipelines.prices`.
"""
