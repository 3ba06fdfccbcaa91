/** Whether a revision is a chart's, `name:version@sha256:…`, and not a commit of Git. */
export function isPin(commit: string): boolean {
  return commit.includes('@sha256:');
}

/** How a revision is shown where there is little room: seven digits of a commit; a chart's name and version. */
export function shortCommit(commit: string): string {
  if (!isPin(commit)) return /^[0-9a-f]{8,64}$/.test(commit) ? commit.slice(0, 7) : commit;
  const [name = '', digest = ''] = commit.split('@sha256:');
  return name.includes(':') ? name : `${name}@${digest.slice(0, 7)}`;
}
