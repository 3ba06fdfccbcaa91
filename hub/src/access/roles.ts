/** Each role and what it includes: viewer < operator; approver = viewer and approvals; admin = everything. */
export const ROLES = ['viewer', 'operator', 'approver', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A role for one project, or for all of them and everything hub-wide (`*`). */
export interface Grant {
  role: Role;
  project: string;
}

export function includes(have: Role, need: Role): boolean {
  return have === need || have === 'admin' || need === 'viewer';
}
