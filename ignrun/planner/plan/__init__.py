"""(running Graph, desired Graph) -> Plan."""
