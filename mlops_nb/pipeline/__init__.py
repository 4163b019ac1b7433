"""Tagged cells as steps: graph, boundary, execution by papermill."""
