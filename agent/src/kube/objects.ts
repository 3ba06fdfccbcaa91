import type { KubeObject } from '@muster/kube';
import type { ApiType } from './discovery.ts';

export type { KubeObject };

/** The path of one object, or of the collection when `name` is left out. */
export function pathOf(type: ApiType, namespace: string | undefined, name?: string): string {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${type.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
