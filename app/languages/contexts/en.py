"""English contexts: a pool of registers, and worked examples."""

from __future__ import annotations

POOL = (
    # Diary.
    "I overslept and nearly missed the bus. My sister called in the evening and cheered me up. "
    "The plant on the windowsill has finally opened.",
    # News.
    "The city council approved a new housing plan on Tuesday. Both countries agreed to lower taxes on trade. "
    "The bridge will open to traffic next month.",
    # Popular science.
    "The moon takes about a month to travel around the earth. Plants draw energy from sunlight. "
    "Sound moves faster through water than through air.",
    # Public notice.
    "Please keep your bags with you at all times. The library is closed on Mondays. "
    "Visitors must sign in at the front desk.",
    # Talk.
    "Where have you been? We waited almost an hour for you. Sit down and have some tea!",
    # Story.
    "The old man pushed the door open and found the room empty. A letter lay on the table. "
    "Somewhere in the distance a dog barked.",
    # Travel.
    "It took us five hours by train to reach the coast. The streets of the village were narrow and quiet. "
    "From the top of the hill you can see three lakes.",
    # Sport.
    "The home team scored in the last minute of the match. She won the race by less than a second. "
    "Two players were sent off after the break.",
    # Cooking.
    "Cut the potatoes into thin slices and rinse them well. Heat the oil before you add the garlic. "
    "Serve the soup hot with fresh bread.",
    # Law.
    "The contract takes effect on the day it is signed. Nobody may enter the area without permission. "
    "Either party has the right to appeal.",
    # Business.
    "Sales rose by a fifth in the first half of the year. The share price fell soon after the market opened. "
    "More and more firms let their staff work from home.",
    # Teaching.
    "Ask the students to tell the story in their own words. Reading a little each day helps more than one long "
    "lesson. There are three ways to solve this problem.",
    # Health.
    "Too much salt is bad for the heart. Most adults need eight hours of sleep. "
    "Drink plenty of water when you have a fever.",
    # Technology.
    "The battery of the new phone lasts for two days. Engineers are testing a car that drives itself. "
    "The program can read a dozen languages.",
    # Weather.
    "Light rain is expected tonight, and it will be a little cooler. A storm is moving toward the coast. "
    "The first snow of the winter fell in the north.",
    # History.
    "The city is more than two thousand years old. Merchants carried their goods across the desert on camels. "
    "After the war the people rebuilt their homes.",
    # Nature.
    "A flock of white birds flew over the lake. In autumn the leaves on the hills turn red. "
    "A small stream runs between the stones.",
    # Review.
    "The end of the film took everyone by surprise. Her writing is simple and warm. "
    "The actors make ordinary life seem real.",
    # Manual.
    "Check that the cable is connected before use. Hold the button down until the light comes on. "
    "Do not keep the machine in a damp place.",
    # Office.
    "The meeting has been moved to ten on Wednesday. Please send me the new draft when it is ready. "
    "Our new colleague learned the job quickly.",
    # Everyday scenes.
    "A woman is holding an umbrella and waiting for a taxi. Two boys throw a ball in the yard. "
    "A man sits on a bench with a newspaper.",
    # Letter.
    "It has been a long time since I last wrote to you. The baby can walk now. "
    "We will come and see you in the holidays.",
    # Opinion.
    "Nobody succeeds without the help of others. It is not enough to talk about clean air. "
    "I think this plan costs too much and brings too little.",
    # Memory.
    "When I was small there was a big oak at the edge of the village. My grandmother used to sit under it and sing. "
    "A row of new houses stands there today.",
)

EXAMPLES = (
    (("rain", "school", "children"), "The children waited inside the school until the rain stopped."),
    (("horse", "field"), "A brown horse is eating grass in the field."),
    (("book", "grandfather", "window"), "My grandfather likes to read a book by the window."),
    (("doctor", "rest", "told"), "The doctor told him to rest for a few days."),
    (("player", "kicks", "ball"), "A player in a red shirt kicks the ball into the goal."),
    (
        ("bridge", "workers", "summer", "finish"),
        "The workers stayed late every night to finish the bridge before summer.",
    ),
)
