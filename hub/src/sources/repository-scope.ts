import { MusterError } from '@muster/base';

/**
 * Why a repository, and so its credentials, serves no Application, set or chart of a project; undefined where it does.
 *
 * @param scope the project that the repository is registered for; undefined: anybody's.
 */
export function scopeDenial(
  url: string,
  scope: string | undefined,
  project: string,
  where?: string,
): MusterError | undefined {
  if (scope === undefined || scope === project) return undefined;
  const reason = `the repository ${url} is registered for the project ${scope} only`;
  return new MusterError('forbidden', reason, where === undefined ? {} : { where });
}
