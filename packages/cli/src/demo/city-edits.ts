/** Single edits of cities, each one commit. They resolve to what they did, in words. */
import { formatCount } from '../output/units.ts'
import type { CitiesDatabase, City } from './city.ts'

export interface CityEdit {
  /** Of the city or cities. */
  readonly id: string
  readonly what: string
}

/** The most populous cities of a country, largest first: answered by the index alone. */
export function largestCities(
  db: CitiesDatabase,
  country: string,
  limit: number,
): Promise<readonly City[]> {
  return db
    .collection('cities')
    .find({ where: { country }, orderBy: { population: 'desc' }, limit })
}

/** Counts the people again. */
export async function recount(
  db: CitiesDatabase,
  { id }: City,
  population: number,
): Promise<CityEdit> {
  const cities = db.collection('cities')
  const { entity } = await cities.update(id, (city) => ({ ...city, population }))
  return { id, what: `${entity?.name ?? id} counted: ${formatCount(population)} people` }
}

/** Surveys the city: its location moves by a hundred-thousandth of a degree. */
export async function survey(db: CitiesDatabase, { id, name }: City): Promise<CityEdit> {
  await db.collection('cities').update(id, (city) => ({ ...city, location: surveyed(city) }))
  return { id, what: `${name} surveyed` }
}

/** People move from one city to another: both change, or neither. */
export async function moveResidents(
  db: CitiesDatabase,
  from: City,
  to: City,
  residents: number,
): Promise<CityEdit> {
  await db.transaction(async (tx) => {
    const cities = tx.collection('cities')
    await cities.update(from.id, (city) => ({ ...city, population: city.population - residents }))
    await cities.update(to.id, (city) => ({ ...city, population: city.population + residents }))
  })
  const what = `${residents} people move from ${from.name} to ${to.name}, in one transaction`
  return { id: `${from.id}, ${to.id}`, what }
}

const foundedPrefix = 'Entidb '

/** Founds a city with the next free number. */
export async function foundCity(db: CitiesDatabase): Promise<CityEdit> {
  const founded = await foundedCities(db)
  const number =
    1 + Math.max(0, ...founded.map(({ name }) => Number(name.slice(foundedPrefix.length))))
  const city: City = {
    id: `founded-${String(number).padStart(6, '0')}`,
    name: `${foundedPrefix}${number}`,
    country: 'AQ',
    population: 1_000 + number,
    location: { lat: -75, lon: 0 },
    featureCode: 'PPL',
    adminCode: '00',
  }
  await db.collection('cities').insert(city)
  return { id: city.id, what: `${city.name} founded` }
}

/** Deletes the founded cities that this device knows. */
export async function removeFoundedCities(db: CitiesDatabase): Promise<readonly CityEdit[]> {
  const edits: CityEdit[] = []
  for (const { id, name } of await foundedCities(db)) {
    await db.collection('cities').delete(id)
    edits.push({ id, what: `${name} deleted` })
  }
  return edits
}

function foundedCities(db: CitiesDatabase): Promise<readonly City[]> {
  return db.collection('cities').find({ where: { name: { startsWith: foundedPrefix } } })
}

function surveyed({ location }: City): City['location'] {
  const shifted = Number((location.lat + 0.00001).toFixed(5))
  return { lat: shifted > 90 ? 0 : shifted, lon: location.lon }
}
