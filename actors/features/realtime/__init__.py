"""Live data: who follows a query hears of every change of its rows, by events or by a websocket."""
