import { MusterError } from '@muster/base';
import { UsageError } from './exit.ts';

/** What names one object. */
export interface ObjectName {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

/** What a user wrote: parts that were left out are undefined. */
type Written = Partial<ObjectName> & Pick<ObjectName, 'kind' | 'name'>;

/** How an object may be named on the command line. */
export const OBJECT_FORMS = 'KIND/NAME, KIND.GROUP/NAME, KIND/NAMESPACE/NAME or GROUP:KIND:[NAMESPACE/]NAME';

/** Reads a name of an object in any of the forms people know. @throws UsageError. */
export function parseObjectName(text: string): Written {
  const parts = text.split('/');
  // As keys of resources are written: the core group and cluster-scoped objects leave their part empty.
  if (parts.length === 4 && parts[1] && parts[3])
    return { group: parts[0]!, kind: parts[1], namespace: parts[2]!, name: parts[3] };
  if (text.includes(':')) {
    const [group = '', kind = '', ...rest] = text.split(':');
    const [first = '', second] = splitOnce(rest.join(':'));
    const name = second ?? first;
    if (kind === '' || name === '') throw new UsageError(`"${text}" names no object`, OBJECT_FORMS);
    return { group, kind, name, ...(second !== undefined && { namespace: first }) };
  }
  const [type = '', ...at] = parts;
  const dot = type.indexOf('.');
  const kind = dot < 0 ? type : type.slice(0, dot);
  const name = at.at(-1) ?? '';
  if (kind === '' || name === '' || at.length > 2)
    throw new UsageError(`"${text}" names no object`, OBJECT_FORMS);
  return {
    kind,
    name,
    ...(dot >= 0 && { group: type.slice(dot + 1) }),
    ...(at.length === 2 && { namespace: at[0]! }),
  };
}

/** Short names as kubectl knows them. */
const SHORT: Record<string, string> = {
  po: 'pod',
  deploy: 'deployment',
  rs: 'replicaset',
  sts: 'statefulset',
  ds: 'daemonset',
  svc: 'service',
  cm: 'configmap',
  ing: 'ingress',
  pvc: 'persistentvolumeclaim',
  ns: 'namespace',
  cj: 'cronjob',
  sa: 'serviceaccount',
  ro: 'rollout',
};

/** Those of the objects that a written name means; kinds in any case, plural or short. */
export function matching<T extends ObjectName>(written: Written, objects: readonly T[]): T[] {
  const kind = written.kind.toLowerCase();
  const kinds = new Set([
    kind,
    SHORT[kind] ?? kind,
    kind.replace(/ies$/, 'y'),
    kind.replace(/e?s$/, ''),
    kind.replace(/s$/, ''),
  ]);
  return objects.filter(
    (each) =>
      kinds.has(each.kind.toLowerCase()) &&
      each.name === written.name &&
      (written.group === undefined || each.group === written.group) &&
      (written.namespace === undefined || each.namespace === written.namespace),
  );
}

/** The one object that is meant. @throws MusterError not-found, or invalid where several are. */
export function theOne<T extends ObjectName>(what: string, found: readonly T[]): T {
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new MusterError('not-found', `the Application has no ${what}`, {
      hint: '`muster app tree` shows what it has',
    });
  throw new MusterError('invalid', `${what} may be ${found.slice(0, 5).map(objectName).join(' or ')}`, {
    where: '--resource',
    hint: OBJECT_FORMS,
  });
}

/** As it is taken back: `Deployment.apps/shop/web`. */
export function objectName({ group, kind, namespace, name }: ObjectName): string {
  return `${group ? `${kind}.${group}` : kind}/${namespace ? `${namespace}/` : ''}${name}`;
}

export function objectKey({ group, kind, namespace, name }: ObjectName): string {
  return `${group}/${kind}/${namespace}/${name}`;
}

function splitOnce(text: string): string[] {
  const at = text.indexOf('/');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
