import type { Writer } from './live-object.ts';

/** Why an object is not as assigned, in a word. */
export type DriftClass = 'person' | 'controller' | 'pending' | 'deleted';

/** Field managers of the tools that people change objects with, by the beginning of their names. */
const TOOLS_OF_PEOPLE =
  /^(kubectl|oc|k9s|lens|openlens|freelens|headlamp|octant|kube-?ui|kubernetes-dashboard|dashboard|rancher|mozilla|chrome|curl|helm|postman|edit|muster-action)\b/i;

/**
 * Classes a difference.
 *
 * @param applied whether the assigned version of the object was applied before: else it waits for its sync.
 */
export function driftClass(writer: Writer | undefined, applied: boolean): DriftClass {
  if (!applied) return 'pending';
  if (!writer) return 'controller';
  return TOOLS_OF_PEOPLE.test(writer.manager) ? 'person' : 'controller';
}
