import { MusterError } from '@muster/base';

/** What a release belongs to: an ApplicationSet, or an Application applied directly. */
export interface Owner {
  kind: 'set' | 'application';
  id: string;
}

/** The key of jobs about an owner: `set:<id>` or `application:<id>`. */
export function ownerKey(owner: Owner): string {
  return `${owner.kind}:${owner.id}`;
}

/** The inverse of `ownerKey`. */
export function parseOwnerKey(key: string): Owner {
  const [kind, id] = key.split(':');
  if ((kind !== 'set' && kind !== 'application') || !id)
    throw new MusterError('internal', `not an owner: ${key}`);
  return { kind, id };
}

/** Whose an Application is. */
export function ownerOf(application: { id: string; set_id: string | null }): Owner {
  return application.set_id
    ? { kind: 'set', id: application.set_id }
    : { kind: 'application', id: application.id };
}
