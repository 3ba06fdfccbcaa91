import { sha256 } from '@muster/base';
import { annotationOf, keyOf, type KubeObject, type ObjectKey } from './object.ts';

/** On every object that Muster applies: finds what belongs to an Application by label selector. */
export const APPLICATION_LABEL = 'muster.dev/application';

/** On every object that Muster applies: names the Application and the object, so that a copy is known for one. */
export const TRACKING_ANNOTATION = 'muster.dev/tracking-id';

/** An Application's name on the wire and in records. */
export interface ApplicationRef {
  namespace: string;
  name: string;
}

/** A valid label value for an Application: `namespace.name`, or its beginning and a hash when longer than 63 characters. */
export function applicationLabel({ namespace, name }: ApplicationRef): string {
  const full = `${namespace}.${name}`;
  if (/^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(full)) return full;
  const start = full
    .replace(/[^-A-Za-z0-9_.]/g, '_')
    .slice(0, 50)
    .replace(/^[^A-Za-z0-9]+/, 'x');
  return `${start}-${sha256(full).slice(0, 12)}`;
}

/** `<ns>/<app>:<group>/<kind>:<namespace>/<name>`. */
export function trackingId(application: ApplicationRef, key: Omit<ObjectKey, 'version'>): string {
  return `${application.namespace}/${application.name}:${key.group}/${key.kind}:${key.namespace}/${key.name}`;
}

/** The inverse of `trackingId`; undefined for text that is none. */
export function parseTrackingId(
  text: string,
): { application: ApplicationRef; key: Omit<ObjectKey, 'version'> } | undefined {
  const match = /^([^/:]+)\/([^/:]+):([^/:]*)\/([^/:]+):([^/:]*)\/(.+)$/.exec(text);
  if (!match) return undefined;
  const [, appNamespace, appName, group, kind, namespace, name] = match as unknown as string[];
  return {
    application: { namespace: appNamespace!, name: appName! },
    key: { group: group!, kind: kind!, namespace: namespace!, name: name! },
  };
}

/** A copy of the object with the label and the annotation that say whose it is. */
export function withTracking(object: KubeObject, application: ApplicationRef): KubeObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [APPLICATION_LABEL]: applicationLabel(application) },
      annotations: { ...metadata.annotations, [TRACKING_ANNOTATION]: trackingId(application, keyOf(object)) },
    },
  };
}

/** The object without Muster's marks, for comparison with what Git says. */
export function withoutTracking(object: KubeObject): KubeObject {
  const without = (map: Record<string, string> | undefined, key: string) => {
    if (!map || !Object.hasOwn(map, key)) return map;
    const { [key]: _mark, ...rest } = map;
    return Object.keys(rest).length > 0 ? rest : undefined;
  };
  const { labels, annotations, ...metadata } = object.metadata;
  const cleanLabels = without(labels, APPLICATION_LABEL);
  const cleanAnnotations = without(annotations, TRACKING_ANNOTATION);
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(cleanLabels && { labels: cleanLabels }),
      ...(cleanAnnotations && { annotations: cleanAnnotations }),
    },
  };
}

/**
 * The Application that a live object belongs to; undefined without a tracking annotation, or with one that names
 * another object (it was copied along with its template and proves nothing).
 */
export function ownerOf(live: KubeObject): ApplicationRef | undefined {
  const parsed = parseTrackingId(annotationOf(live, TRACKING_ANNOTATION) ?? '');
  if (!parsed) return undefined;
  const { group, kind, namespace, name } = keyOf(live);
  const { key } = parsed;
  const same = key.group === group && key.kind === kind && key.namespace === namespace && key.name === name;
  return same ? parsed.application : undefined;
}
