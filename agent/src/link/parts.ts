/** The link to the hub on its own, for the simulated agents of `e2e/simulator`. */
export { Records } from '../state/records.ts';
export type { Store } from '../state/store.ts';
export { BundleDownloads } from './bundles.ts';
export { enrol } from './enrolment.ts';
export { fetchPinnedCa } from './hub-ca.ts';
export { HubConnection } from './hub-connection.ts';
export { Session } from './session.ts';
export { newKey } from './certificate-request.ts';
