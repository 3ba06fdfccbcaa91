/** That an agent was heard in a session. */
export interface Heard {
  sessionId: string;
  /** What it adds to its clock to get the hub's; undefined: it did not say. */
  clockOffsetMs?: number | undefined;
}
