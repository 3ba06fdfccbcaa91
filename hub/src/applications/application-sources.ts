import type { Application, ApplicationSource } from '@muster/appset';
import { followedSource } from '../sources/followed-source.ts';

/** A source and the place in the document where it stands. */
export interface PlacedSource {
  source: ApplicationSource;
  /** From 0. */
  position: number;
  /** `spec.source`, or `spec.sources[1]`. */
  where: string;
}

/** The sources of an Application in order. As in Argo CD, `sources` with an entry make `source` count for nothing. */
export function sourcesOf(manifest: Application): ApplicationSource[] {
  return placedSources(manifest).map((one) => one.source);
}

/** As `sourcesOf`, each with its place. */
export function placedSources({ spec }: Application): PlacedSource[] {
  if (hasSeveralSources(spec))
    return spec.sources!.map((source, position) => ({
      source,
      position,
      where: `spec.sources[${position}]`,
    }));
  return spec?.source ? [{ source: spec.source, position: 0, where: 'spec.source' }] : [];
}

/** Whether `sources` is what counts: only then one source may refer to another. */
export function hasSeveralSources(spec: Application['spec'] | undefined): boolean {
  return (spec?.sources?.length ?? 0) > 0;
}

/** The revision that a source follows, as `followedSource` writes it: `HEAD` where nothing is given. */
export function revisionOf(source: ApplicationSource): string {
  return followedSource(source).revision;
}

/** The address of the repository that a source is read from, as `followedSource` writes it. */
export function addressOfSource(source: ApplicationSource): string {
  return followedSource(source).url;
}

/** Whether objects come from a source: one with only a `ref` is there for others to read. */
export function isRendered(source: ApplicationSource): boolean {
  return !source.ref || Boolean(source.path) || Boolean(source.chart);
}

/** How people call a source: its name, else where it stands. */
export function nameOfSource({ source, where }: PlacedSource): string {
  return source.name ? `${where} (${source.name})` : where;
}
