import { type KubeObject, type ObjectChange, objectChange, secretValues } from '@muster/kube';
import { type ContainerImage, imageChanges, pairObjects } from './images.ts';

/** What is different between two bundles. */
export interface BundleDifference {
  objects: ObjectChange[];
  images: ContainerImage[];
}

/** Differences of manifests and images, secrets masked on both sides. */
export function bundleDifference(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
  loosely: boolean,
): BundleDifference {
  const secrets = new Set([...secretValues(before), ...secretValues(after)]);
  const pairs = pairObjects(before, after, loosely);
  return {
    objects: pairs.flatMap(([old, now]) => objectChange(old, now, secrets) ?? []),
    images: imageChanges(pairs, secrets),
  };
}

/** Images that change, each change once with the number of targets. */
export class ImageTally {
  readonly #found = new Map<string, ContainerImage & { targets: number }>();

  add(images: readonly ContainerImage[], targets: number): void {
    for (const image of images) {
      const key = JSON.stringify(image);
      const known = this.#found.get(key);
      if (known) known.targets += targets;
      else this.#found.set(key, { ...image, targets });
    }
  }

  /** Those of most targets first. */
  all(): (ContainerImage & { targets: number })[] {
    return [...this.#found.values()].sort((a, b) => b.targets - a.targets);
  }
}
