/** The entities of the demo: the cities of the world with at least 1,000 inhabitants. */
import { type CollectionDefinition, defineCollection, EntiDB, type Storage } from '@entidb/core'

export interface City {
  /** Country and running number within it: `AD-000001`. */
  readonly id: string
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly population: number
  /** Degrees. */
  readonly location: { readonly lat: number; readonly lon: number }
  /** GeoNames feature code: PPL, PPLA, PPLC, ... */
  readonly featureCode: string
  /** GeoNames first-level administrative division. */
  readonly adminCode: string
}

/** The database's name on the server. */
export const CITIES_DB_ID = 'cities'

export type CitiesDatabase = EntiDB<{ readonly cities: CollectionDefinition<City> }>

const collections = {
  cities: defineCollection<City>({
    indexes: { byCountry: ['country', 'population'], byName: ['name'] },
  }),
}

/** What resolves is ready for sync: its change feed is on, and a resolved commit survives a power cut. */
export function openCitiesDatabase(storage: Storage): Promise<CitiesDatabase> {
  return EntiDB.open({ storage, collections, changeFeed: true, durability: 'strict' })
}
