import { HOOK_FINALIZER } from '../annotations.ts';
import type { KubeObject } from '../object.ts';
import { assessBuiltIn } from './builtin.ts';
import { assessByCatalogue } from './catalogue.ts';
import { type Health, progressing } from './status.ts';
import { isTime } from './typed.ts';

/** A check of the user for the kinds that its key names; null hands over to the built-in checks in code. */
export type HealthCheck = (object: KubeObject) => Health | null;

/** What `assessHealth` may be told. */
export interface HealthOptions {
  /** The user's check for an object: null when there is none. See `customizations.ts`. */
  customization?: (object: KubeObject) => HealthCheck | null;
}

/** Health exactly as the reference judges it; null for a kind that has no check (which is not Healthy). */
export function assessHealth(object: KubeObject, options: HealthOptions = {}): Health | null {
  const { deletionTimestamp, finalizers } = object.metadata ?? {};
  // One that is no time is none, as for the reference.
  if (isTime(deletionTimestamp) && !finalizers?.includes(HOOK_FINALIZER))
    return progressing('Pending deletion');
  const custom = options.customization?.(object);
  // The user's check replaces the catalogue's rule even where it has no opinion.
  return (custom ? custom(object) : assessByCatalogue(object)) ?? assessBuiltIn(object);
}
