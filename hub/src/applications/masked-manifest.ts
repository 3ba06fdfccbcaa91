import type { Application, ApplicationSource } from '@muster/appset';
import { lookingSecret, maskStrings } from '../rendering/secrets.ts';

/** Shorter values of Secrets stand in too many places that are none. */
const SHORTEST = 6;

/**
 * An Application as it is shown: without what looks secret in the values and parameters of Helm, and in URLs, and
 * without values of Helm that ended in a Secret.
 */
export function maskedManifest(
  manifest: Application,
  inSecrets: ReadonlySet<string>,
): Record<string, unknown> {
  const spec = maskStrings(manifest.spec, lookingSecret(manifest.spec));
  const used = new Set([...inSecrets].filter((value) => value.length >= SHORTEST));
  const helm = (source: ApplicationSource): ApplicationSource =>
    source.helm ? { ...source, helm: maskStrings(source.helm, used) } : source;
  return {
    ...manifest,
    spec: {
      ...spec,
      ...(spec.source && { source: helm(spec.source) }),
      ...(spec.sources && { sources: spec.sources.map(helm) }),
    },
  };
}
