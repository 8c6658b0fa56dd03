/**
 * Step: what the two devices do while they cannot reach each other. Each edits cities of its own; one
 * city, the largest of Andorra, they both edit: the conflict.
 */
import type { CitiesDatabase, City } from '../city.ts'
import {
  type CityEdit,
  foundCity,
  largestCities,
  moveResidents,
  recount,
  removeFoundedCities,
  survey,
} from '../city-edits.ts'

export interface OfflineEdits {
  readonly onDeviceA: readonly CityEdit[]
  readonly onDeviceB: readonly CityEdit[]
}

const contestedCountry = 'AD'
const countryOfDeviceA = 'AE'
const countryOfDeviceB = 'AF'
const citiesEdited = 5

export async function editOffline(
  deviceA: CitiesDatabase,
  deviceB: CitiesDatabase,
): Promise<OfflineEdits> {
  return { onDeviceA: await editOnDeviceA(deviceA), onDeviceB: await editOnDeviceB(deviceB) }
}

/** Counts people, moves some, founds a city, and counts the contested one. */
async function editOnDeviceA(db: CitiesDatabase): Promise<readonly CityEdit[]> {
  const edits: CityEdit[] = []
  const own = await largestCities(db, countryOfDeviceA, citiesEdited)
  for (const city of own) edits.push(await recount(db, city, city.population + 101))
  const [largest, second] = own
  if (largest !== undefined && second !== undefined) {
    edits.push(await moveResidents(db, largest, second, 50))
  }
  edits.push(await foundCity(db))
  for (const city of await contested(db)) {
    edits.push(await recount(db, city, city.population + 1_000))
  }
  return edits
}

/** Surveys cities, deletes a founded one, and both counts and surveys the contested one. */
async function editOnDeviceB(db: CitiesDatabase): Promise<readonly CityEdit[]> {
  const edits: CityEdit[] = []
  for (const city of await largestCities(db, countryOfDeviceB, citiesEdited)) {
    edits.push(await survey(db, city))
  }
  edits.push(...(await removeFoundedCities(db)))
  for (const city of await contested(db)) {
    edits.push(await recount(db, city, city.population + 7), await survey(db, city))
  }
  return edits
}

function contested(db: CitiesDatabase): Promise<readonly City[]> {
  return largestCities(db, contestedCountry, 1)
}
