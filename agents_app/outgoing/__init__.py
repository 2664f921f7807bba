"""What is handed on to other services because staff asked for it, in the Data Transformations Registry."""
