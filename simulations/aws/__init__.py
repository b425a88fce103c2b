"""Real calls with boto3: to services on this machine, or to the reader's own account.

The only room that touches a network. May import boto3 and moto and, of the library, the rooms
above; nothing of it is imported until it is asked for by name.
"""
