/** What the placeholders of a query stand for. */
export interface QueryPlace {
  cluster: { name: string; labels: Readonly<Record<string, string>> };
  application: { namespace: string; name: string };
}

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;
const KNOWN =
  /^(cluster\.name|cluster\.labels\.[A-Za-z0-9]([-A-Za-z0-9_./]*)|application\.(namespace|name))$/;

/** Placeholders of a query that stand for nothing. */
export function unknownPlaceholders(query: string): string[] {
  return namesIn(query).filter((name) => !KNOWN.test(name));
}

/** Whether a query is another one for each target. */
export function hasPlaceholders(query: string): boolean {
  return namesIn(query).length > 0;
}

function namesIn(query: string): string[] {
  return [...query.matchAll(PLACEHOLDER)].map(([, name]) => name!);
}

/** The query of one target. What is filled in cannot end a text of PromQL; a label that is not there is empty. */
export function fillQuery(query: string, { cluster, application }: QueryPlace): string {
  return query.replace(PLACEHOLDER, (_, name: string) => {
    if (name === 'cluster.name') return escaped(cluster.name);
    if (name === 'application.name') return escaped(application.name);
    if (name === 'application.namespace') return escaped(application.namespace);
    return escaped(cluster.labels[name.slice('cluster.labels.'.length)] ?? '');
  });
}

/** In every kind of quotes: what could end them, or means more than itself there, is left out. */
function escaped(value: string): string {
  return value.replace(/[\\"'`\n\r]/g, '');
}
