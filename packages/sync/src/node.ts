/** `@entidb/sync/node`: requests by Node's own `https`. */
export { type NodeFetchOptions, nodeFetch } from './node/node-fetch.ts'
