import type { ApplicationView } from '@muster/api';

/** What is assigned of each source, in their order; none before anything is. */
export function commitsOf({ revision, sources }: ApplicationView): string[] {
  if (!revision) return [];
  return sources?.flatMap(({ commit }) => commit ?? []) ?? [revision.commit];
}
