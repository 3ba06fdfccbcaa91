import pg from 'pg';

/**
 * A pool's client that survives the loss of its connection. pg's pool listens for errors of idle clients only: one that is
 * lent out and between two statements when its connection is cut would end the process. Its next statement fails anyway.
 */
export class PoolClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
