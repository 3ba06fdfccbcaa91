/** What stands in place of a value that the agent keeps to itself. */
export const MASK = '••••••••';
