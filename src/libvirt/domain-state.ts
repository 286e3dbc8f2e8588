/** Numbers of states (virDomainState) in which a domain's statistics are not what they were while it ran. */
export const SHUTDOWN = 4;
export const SHUT_OFF = 5;
