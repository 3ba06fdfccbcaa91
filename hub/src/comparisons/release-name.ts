import { MusterError } from '@muster/base';

/** What is compared: an owner, maybe one of its releases, maybe on one cluster. */
export interface ReleaseName {
  namespace: string;
  name: string;
  /** Undefined: what it holds now. */
  number: number | undefined;
  cluster: string | undefined;
}

const FORM = /^(?:([a-z0-9.-]+)\/)?([a-z0-9][a-z0-9.-]*)(?:#(\d{1,15}))?(?:@([A-Za-z0-9][\w.-]*))?$/;
const DEFAULT_NAMESPACE = 'argocd';

/** Reads `[NAMESPACE/]NAME[#NUMBER][@CLUSTER]`. Throws `invalid`. */
export function parseReleaseName(text: string, where: string): ReleaseName {
  const [, namespace = DEFAULT_NAMESPACE, name, number, cluster] = FORM.exec(text) ?? [];
  if (name === undefined)
    throw new MusterError('invalid', `"${text}" names no release`, {
      where,
      hint: 'web: what it holds now; web#41: a release; web@prod-eu, web#41@prod-eu: on one cluster; namespace/web where it is not argocd',
    });
  return { namespace, name, number: number === undefined ? undefined : Number(number), cluster };
}

/** The inverse of `parseReleaseName`. */
export function formatReleaseName({ namespace, name, number, cluster }: ReleaseName): string {
  const release = number === undefined ? '' : `#${number}`;
  return `${namespace}/${name}${release}${cluster === undefined ? '' : `@${cluster}`}`;
}
