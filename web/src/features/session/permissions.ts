import type { Role, Session } from '@muster/api';

/** Whether the hub would allow it; it decides again itself. viewer < operator; approver = viewer + approvals; admin = all. */
export function allows(session: Session | null | undefined, need: Role, project: string): boolean {
  return (session?.grants ?? []).some(
    ({ role, project: scope }) =>
      (scope === '*' || scope === project) && (role === need || role === 'admin' || need === 'viewer'),
  );
}
