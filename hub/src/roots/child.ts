import type { Role } from '../access/roles.ts';

export const CHILD_KINDS = ['AppProject', 'ApplicationSet', 'Application'] as const;
export type ChildKind = (typeof CHILD_KINDS)[number];

export const CHILD_GROUP = 'argoproj.io';

/** What names a child; the namespace of an AppProject is ''. */
export interface ChildName {
  kind: ChildKind;
  namespace: string;
  name: string;
}

/** `Kind namespace/name`, equal for the same child. */
export function childKey({ kind, namespace, name }: ChildName): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

export function isChildKind(kind: string): kind is ChildKind {
  return (CHILD_KINDS as readonly string[]).includes(kind);
}

/** Whose rights a root acts with: those of whoever applied the outermost root, or the set that made it. */
export interface Authority {
  /** Who that was, to show. */
  actor: string;
  /** Projects in which children may be; `*`: all. */
  operatorIn: '*' | string[];
  /** May write AppProjects. */
  admin: boolean;
}

/** What a root may do to a child of a project: the role that a person would need. */
export function roleFor(kind: ChildKind): Role {
  return kind === 'AppProject' ? 'admin' : 'operator';
}
