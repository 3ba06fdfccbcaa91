/** A revision that a chart depends on, as a render found it. */
export interface DependedOn {
  repositoryId: string;
  revision: string;
  /** The pin; undefined where nothing could be read. */
  commit: string | undefined;
  /** Stays at its pin until somebody accepts another one: no lock says which version. */
  held: boolean;
}
