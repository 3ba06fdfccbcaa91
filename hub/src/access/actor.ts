import type { Grant } from './roles.ts';

/** Who does something: a logged-in user, an API token of one, or the hub itself. */
export interface Actor {
  kind: 'user' | 'token' | 'system';
  /** As written to the audit log: the user's name, `token:<name>`, `system`. */
  name: string;
  userId?: string;
  /** The user's own name, for tokens too. */
  userName?: string;
  tokenId?: string;
  sessionId?: string;
  grants: Grant[];
  /** When the login or token ends. */
  expiresAt?: Date;
  remoteAddress?: string;
}

export const systemActor: Actor = {
  kind: 'system',
  name: 'system',
  grants: [{ role: 'admin', project: '*' }],
};
