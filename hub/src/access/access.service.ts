import { MusterError } from '@muster/base';
import type { Actor } from './actor.ts';
import { type Role, includes } from './roles.ts';

/** Decides what an actor may do. Pure: an actor carries the grants it was authenticated with. */
export class AccessService {
  /** Whether the actor has the role for the project; without a project, for everything hub-wide. */
  allows(actor: Actor, role: Role, project = '*'): boolean {
    return actor.grants.some(
      (grant) => includes(grant.role, role) && (grant.project === '*' || grant.project === project),
    );
  }

  /** Throws MusterError `forbidden` unless `allows`. */
  require(actor: Actor, role: Role, project = '*'): void {
    if (this.allows(actor, role, project)) return;
    const scope = project === '*' ? 'for all projects' : `for project ${project}`;
    throw lacking(role, scope);
  }

  /** For somebody who has the role in no project: of which one it is needed in, they are not told. Throws `forbidden`. */
  requireSomewhere(role: Role): never {
    throw lacking(role, 'for its project');
  }

  /** The projects in which the actor has the role; `*` means all. */
  visibleProjects(actor: Actor, role: Role): '*' | string[] {
    if (this.allows(actor, role)) return '*';
    return [
      ...new Set(actor.grants.filter((grant) => includes(grant.role, role)).map((grant) => grant.project)),
    ].sort();
  }
}

function lacking(role: Role, scope: string): MusterError {
  return new MusterError('forbidden', `this needs the role ${role} ${scope}`, {
    hint: 'Ask an admin for a role binding.',
  });
}
