"""The plant's memory: generations, intents, outcomes and events in one durable store, and files written durably."""
