"""`chainwright mcp`: a service as tools of the Model Context Protocol (https://modelcontextprotocol.io)."""
